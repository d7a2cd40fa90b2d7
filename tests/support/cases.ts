/** How many cases a property is tried with: some in every run of the tests, all that the campaign wants in `npm run properties`. */
const wanted = Number(process.env['PROPERTY_CASES'] ?? 1000);

/** Parameters for `fc.assert`. */
export const cases = { numRuns: wanted };
