curl -X GET "https://tasty.gammabox.app/api/v1/net-liquidating-value-history?account_id=YOUR_ACCOUNT_ID&time_back=1m" \
  -H "X-API-Key: YOUR_API_KEY"
