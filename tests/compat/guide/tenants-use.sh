# Tenant 1 request
curl -X GET "https://tasty.gammabox.app/api/v1/balances?account_id=TENANT1_ACCOUNT" \
  -H "X-API-Key: tenant1_key"

# Tenant 2 request
curl -X GET "https://tasty.gammabox.app/api/v1/balances?account_id=TENANT2_ACCOUNT" \
  -H "X-API-Key: tenant2_key"
