/** What `ZSTD_FRAME` holds. */
export const ZSTD_TEXT = Array.from({ length: 300 }, (_, index) => `${index + 1},the same text again and again\n`).join(
  '',
);

/**
 * Made by the program zstd 1.5.4, since not every supported Node.js can compress: one frame of one
 * block, with checksum.
 */
export const ZSTD_FRAME = Buffer.from(
  [
    'KLUv/WRsJtUJAEYWMRSwaTk4EhSLwhs6JaWUKaXki5fMxTQAJgAoADRyl4sXjdzlwkUjd7lo0chdLlg0cpdbrGjkLgEEEA4GBIMD',
    'wcGgsDCgYBg4OCQYBgoUAhZtS5IkSW7btm2xWCwWi8VisVjRyF0uqmjkLhdUNHKXiykaucuFVNuCwWAwGAwGg8GqqqqqKiIiIiKi',
    'mZmZmRkRERERkf///9+2bdtu2zbRqqqqqioiIiIiopmZmZkZEREREZH////ftm3bbtu2bUmSJMlt2xaBLKgRoF//N9GXwhoRKAT/',
    'v4X1A5w6zWV5HI/jcTkup5e+HXHMMXfp1ayWy/E4HsfjeMrvqlKr+qrqTlVxquJSFaNqDlXxqeZO9CD5FmVy+kh5i5I8fSTeRklO',
    'PxJv0SSnjyES8mkEIURERCg2/iCtAFUFsaJt+w==',
  ].join(''),
  'base64',
);
