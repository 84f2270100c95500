# Tenant 1
curl -X POST https://tasty.gammabox.app/api/v1/credentials \
  -H "Content-Type: application/json" \
  -d '{
    "api_key": "tenant1_key",
    "client_secret": "tenant1_secret",
    "refresh_token": "tenant1_token"
  }'

# Tenant 2
curl -X POST https://tasty.gammabox.app/api/v1/credentials \
  -H "Content-Type: application/json" \
  -d '{
    "api_key": "tenant2_key",
    "client_secret": "tenant2_secret",
    "refresh_token": "tenant2_token"
  }'
