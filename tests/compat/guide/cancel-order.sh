curl -X DELETE "https://tasty.gammabox.app/api/v1/orders/846283?account_id=YOUR_ACCOUNT_ID" \
  -H "X-API-Key: YOUR_API_KEY"
