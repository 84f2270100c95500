# Get option chain
CHAIN=$(curl -s -X GET "https://tasty.gammabox.app/api/v1/option-chain?symbol=TSLA" \
  -H "X-API-Key: YOUR_API_KEY")

# Extract 4DTE expiration (4 days to expiration)
# The table includes DTE calculations for easy filtering
