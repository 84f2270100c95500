curl -X POST "https://tasty.gammabox.app/api/v1/replace-order/846283?account_id=YOUR_ACCOUNT_ID" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '{"price": -4.75}'
