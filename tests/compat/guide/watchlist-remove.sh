curl -X POST "https://tasty.gammabox.app/api/v1/watchlists/private/manage" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '{
    "action": "remove",
    "symbols": [
      {"symbol": "AAPL", "instrument_type": "Equity"}
    ],
    "name": "tech-stocks"
  }'
