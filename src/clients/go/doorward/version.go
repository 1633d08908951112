package doorward

// Version is this package's version, which servers see in the user agent.
const Version = "0.1.0"
