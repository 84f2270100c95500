curl -X POST "https://tasty.gammabox.app/api/v1/greeks?timeout=10.0" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '[
    {"symbol": "SPY", "option_type": "P", "strike_price": 685.0, "expiration_date": "2025-12-19"}
  ]'
