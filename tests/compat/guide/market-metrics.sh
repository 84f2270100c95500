curl -X POST "https://tasty.gammabox.app/api/v1/market-metrics" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '["SPY", "AAPL", "QQQ"]'
