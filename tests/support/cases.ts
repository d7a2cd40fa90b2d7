/** How many cases a property is tried with: some in every run of the tests, 10,000 in `npm run test:properties`. */
const wanted = Number(process.env['PROPERTY_CASES'] ?? 1000);

/** Parameters for `fc.assert`. */
export const cases = { numRuns: wanted };
