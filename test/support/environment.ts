/** Of what the tests run in, an application in the same process sees how its store is to work, and nothing else. */
export const environment = {
  SYNCLINE_REPEAT_TRANSACTIONS: process.env.SYNCLINE_REPEAT_TRANSACTIONS,
}
