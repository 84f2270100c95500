curl -X POST "https://tasty.gammabox.app/api/v1/place-order?account_id=YOUR_ACCOUNT_ID" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: YOUR_API_KEY" \
  -d '{
    "legs": [
      {
        "symbol": "SPY",
        "option_type": "C",
        "action": "Buy to Open",
        "quantity": 1,
        "strike_price": 690.0,
        "expiration_date": "2025-12-19"
      },
      {
        "symbol": "SPY",
        "option_type": "C",
        "action": "Sell to Open",
        "quantity": 1,
        "strike_price": 695.0,
        "expiration_date": "2025-12-19"
      }
    ],
    "price": null,
    "time_in_force": "Day",
    "dry_run": false
  }'
