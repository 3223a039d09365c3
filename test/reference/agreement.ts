/** Normalised mutual information of two clusterings: I(a, b) / √(H(a)·H(b)); 0 if one has a single cluster. */
export function mutualInformation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length
  const entropy = (keyAt: (i: number) => string) => {
    const counts = new Map<string, number>()
    for (let i = 0; i < n; i++) counts.set(keyAt(i), (counts.get(keyAt(i)) ?? 0) + 1)
    return [...counts.values()].reduce((sum, count) => sum - (count / n) * Math.log(count / n), 0)
  }
  const [ofA, ofB] = [entropy((i) => `${a[i]}`), entropy((i) => `${b[i]}`)]
  const ofBoth = entropy((i) => `${a[i]},${b[i]}`)
  return ofA * ofB === 0 ? 0 : (ofA + ofB - ofBoth) / Math.sqrt(ofA * ofB)
}
