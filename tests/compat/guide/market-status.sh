curl -X GET "https://tasty.gammabox.app/api/v1/market-status?exchanges=Equity" \
  -H "X-API-Key: YOUR_API_KEY"
