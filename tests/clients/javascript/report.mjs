// What every script here shares: a WebSocket for clients written for browsers, a deadline, and one
// line of JSON as the result. Python asserts on that line; the scripts only collect.

import WebSocket from 'ws'

globalThis.WebSocket ??= WebSocket

export async function report(collect) {
  const late = setTimeout(() => {
    console.error('gave up waiting')
    process.exit(1)
  }, 20_000)
  try {
    const result = await collect()
    clearTimeout(late)
    process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0))
  } catch (error) {
    console.error(error?.response?.data ? JSON.stringify(error.response.data) : error)
    process.exit(1)
  }
}

// Resolves with whatever `step` returns, as soon as that is not undefined.
export function when(subscribe, step) {
  return new Promise((resolve) => {
    subscribe((...given) => {
      const result = step(...given)
      if (result !== undefined) resolve(result)
    })
  })
}
