#!/bin/bash

API_KEY="YOUR_API_KEY"
BASE_URL="https://tasty.gammabox.app"

# Ask AI to analyze portfolio
curl -X POST "${BASE_URL}/api/v1/chat" \
  -H "Content-Type: application/json" \
  -H "X-API-Key: ${API_KEY}" \
  -d '{
    "message": "Analyze my portfolio and suggest any adjustments based on current market conditions",
    "message_history": null
  }' | jq -r '.response'
