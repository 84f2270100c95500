curl -X GET "https://tasty.gammabox.app/api/v1/transaction-history?account_id=YOUR_ACCOUNT_ID&days=30&transaction_type=Trade" \
  -H "X-API-Key: YOUR_API_KEY"
