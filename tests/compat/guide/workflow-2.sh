#!/bin/bash

API_KEY="YOUR_API_KEY"
ACCOUNT_ID="YOUR_ACCOUNT_ID"
BASE_URL="https://tasty.gammabox.app"

# 1. Get positions
POSITIONS=$(curl -s -X GET "${BASE_URL}/api/v1/positions?account_id=${ACCOUNT_ID}" \
  -H "X-API-Key: ${API_KEY}")

# 2. Extract position symbols
SYMBOLS=$(echo $POSITIONS | jq -r '.positions[].symbol')

# 3. For each position, get current quote
for SYMBOL in $SYMBOLS; do
  echo "Getting quote for $SYMBOL..."
  curl -X POST "${BASE_URL}/api/v1/quotes" \
    -H "Content-Type: application/json" \
    -H "X-API-Key: ${API_KEY}" \
    -d "[{\"symbol\": \"$SYMBOL\"}]" | jq '.'
done

# 4. Close a position (example)
curl -X POST "${BASE_URL}/api/v1/place-order?account_id=${ACCOUNT_ID}" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: ${API_KEY}" \
  -d '{
    "legs": [{
      "symbol": "SPY",
      "option_type": "P",
      "action": "Sell to Close",
      "quantity": 1,
      "strike_price": 685.0,
      "expiration_date": "2025-12-19"
    }],
    "price": null,
    "time_in_force": "Day",
    "dry_run": false
  }' | jq '.'
