/** This package's version, which servers see in the user agent. */
export const VERSION = "0.1.0";
