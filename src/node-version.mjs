// Plain JavaScript of old: it is read by a Node.js that may be too old for anything else.

/**
 * @param {string} version as `20.19.1`
 * @param {string} range alternatives of the forms `^20.19.0` and `>=24.0.0`, joined by `||`
 * @returns {boolean}
 */
export function isAllowed(version, range) {
  const [major = 0, ...rest] = numbersOf(version);
  return range.split('||').some((alternative) => {
    const [leastMajor = 0, ...leastRest] = numbersOf(alternative);
    if (major !== leastMajor) return major > leastMajor && alternative.includes('>=');
    const different = rest.findIndex((number, index) => number !== leastRest[index]);
    return different === -1 || Number(rest[different]) > Number(leastRest[different]);
  });
}

/** @param {string} text */
function numbersOf(text) {
  return (text.match(/\d+/g) || []).map(Number);
}
