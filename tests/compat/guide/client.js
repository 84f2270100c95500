const axios = require('axios');

class TastyTradeAPI {
  constructor(baseUrl, apiKey, accountId) {
    this.baseUrl = baseUrl;
    this.headers = {
      'X-API-Key': apiKey,
      'Content-Type': 'application/json'
    };
    this.accountId = accountId;
  }

  async getBalances() {
    const response = await axios.get(
      `${this.baseUrl}/api/v1/balances`,
      {
        params: { account_id: this.accountId },
        headers: this.headers
      }
    );
    return response.data;
  }

  async getPositions() {
    const response = await axios.get(
      `${this.baseUrl}/api/v1/positions`,
      {
        params: { account_id: this.accountId },
        headers: this.headers
      }
    );
    return response.data;
  }

  async getQuotes(symbols) {
    const response = await axios.post(
      `${this.baseUrl}/api/v1/quotes`,
      symbols.map(s => ({ symbol: s })),
      { headers: this.headers }
    );
    return response.data;
  }

  async getOptionChain(symbol) {
    const response = await axios.get(
      `${this.baseUrl}/api/v1/option-chain`,
      {
        params: { symbol },
        headers: this.headers
      }
    );
    return response.data;
  }

  async placeOrder(legs, price = null, timeInForce = 'Day', dryRun = false) {
    const response = await axios.post(
      `${this.baseUrl}/api/v1/place-order`,
      {
        legs,
        price,
        time_in_force: timeInForce,
        dry_run: dryRun
      },
      {
        params: { account_id: this.accountId },
        headers: this.headers
      }
    );
    return response.data;
  }
}

// Usage
const api = new TastyTradeAPI(
  'https://tasty.gammabox.app',
  'YOUR_API_KEY',
  'YOUR_ACCOUNT_ID'
);

(async () => {
  const balances = await api.getBalances();
  console.log(balances);

  const quotes = await api.getQuotes(['SPY', 'AAPL']);
  console.log(quotes);

  // Get option chain
  const chain = await api.getOptionChain('TSLA');
  console.log(`Total expirations: ${chain.total_expirations}`);
  console.log(`Total options: ${chain.total_options}`);

  // Filter for 4DTE options
  const today = new Date();
  for (const expDateStr of chain.expiration_dates) {
    const expDate = new Date(expDateStr);
    const dte = Math.ceil((expDate.getTime() - today.getTime()) / (1000 * 60 * 60 * 24));
    if (dte === 4) {
      console.log(`4DTE expiration: ${expDateStr}`);
      console.log(`Available strikes: ${chain.chain[expDateStr].strikes}`);
    }
  }
})();
