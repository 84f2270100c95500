curl -X GET "https://tasty.gammabox.app/api/v1/order-history?account_id=YOUR_ACCOUNT_ID&days=7" \
  -H "X-API-Key: YOUR_API_KEY"
