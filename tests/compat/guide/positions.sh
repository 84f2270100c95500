curl -X GET "https://tasty.gammabox.app/api/v1/positions?account_id=YOUR_ACCOUNT_ID" \
  -H "X-API-Key: YOUR_API_KEY"
