// @tastytrade/api: the broker's own client. Usage: node tastytrade.mjs BASE_URL

import TastytradeClient, { MarketDataSubscriptionType } from '@tastytrade/api'
import { report, when } from './report.mjs'

const [baseUrl] = process.argv.slice(2)

const ORDER = {
  'time-in-force': 'Day',
  'order-type': 'Limit',
  price: '1.00',
  'price-effect': 'Debit',
  legs: [
    { 'instrument-type': 'Equity', symbol: 'SPY', quantity: 1, action: 'Buy to Open' }
  ]
}

await report(async () => {
  const client = new TastytradeClient({
    baseUrl,
    accountStreamerUrl: baseUrl.replace('http', 'ws') + '/streamer',
    clientSecret: 'demo-client-secret',
    refreshToken: 'demo-refresh-token',
    oauthScopes: ['read', 'trade'],
    targetApiVersion: '20251101'
  })
  const accounts = await client.accountsAndCustomersService.getCustomerAccounts()
  const number = accounts[0].account['account-number']
  const notices = []
  client.accountStreamer.addMessageObserver((message) => notices.push(message))
  await client.accountStreamer.start()
  await client.accountStreamer.subscribeToAccounts([number])

  await client.quoteStreamer.connect()
  const events = []
  const both = when(
    (listener) => client.quoteStreamer.addEventListener(listener),
    (batch) => {
      events.push(...batch)
      const types = new Set(events.map((event) => event.eventType))
      return types.has('Quote') && types.has('Trade') ? true : undefined
    }
  )
  client.quoteStreamer.subscribe(
    ['SPY'],
    [MarketDataSubscriptionType.Quote, MarketDataSubscriptionType.Trade]
  )
  await both

  const dryRun = await client.orderService.postOrderDryRun(number, ORDER)
  const placed = await client.orderService.createOrder(number, ORDER)
  const id = placed.order.id
  const heard = () => notices.find((each) => each.type === 'Order' && each.data.id === id)
  while (!heard()) await new Promise((resolve) => setTimeout(resolve, 5))
  const live = await client.orderService.getLiveOrders(number)
  const cancelled = await client.orderService.cancelOrder(number, id)
  const result = {
    me: await client.accountsAndCustomersService.getCustomerResource(),
    accounts,
    balances: await client.balancesAndPositionsService.getAccountBalanceValues(number),
    positions: await client.balancesAndPositionsService.getPositionsList(number),
    dryRun,
    placed,
    live,
    cancelled,
    notice: heard(),
    events
  }
  client.accountStreamer.stop()
  client.quoteStreamer.disconnect()
  return result
})
