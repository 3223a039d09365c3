// A simple, slow Philox 4x32-10: Salmon, Moraes, Dror & Shaw (2011).

const word = (x: bigint) => x & 0xffffffffn

/** 64 bits that depend on the arguments alone. */
export function counterBits(seed: number, stream: number, row: number, item: number): bigint {
  const at = BigInt(row)
  let x = [BigInt(item), BigInt(stream), word(at), at >> 32n] as [bigint, bigint, bigint, bigint]
  let [k0, k1] = [word(BigInt(seed)), BigInt(seed) >> 32n]
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [0xd2511f53n * x[0], 0xcd9e8d57n * x[2]]
    x = [(p1 >> 32n) ^ x[1] ^ k0, word(p1), (p0 >> 32n) ^ x[3] ^ k1, word(p0)]
    ;[k0, k1] = [word(k0 + 0x9e3779b9n), word(k1 + 0xbb67ae85n)]
  }
  return (x[1] << 32n) | x[0]
}
