/** Version of this package; a tidy test compares it with package.json. */
export const VERSION = '0.1.0';
