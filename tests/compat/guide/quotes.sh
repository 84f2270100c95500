curl -X POST "https://tasty.gammabox.app/api/v1/quotes?timeout=10.0" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '[
    {"symbol": "SPY"},
    {"symbol": "AAPL", "option_type": "C", "strike_price": 150.0, "expiration_date": "2025-12-20"}
  ]'
