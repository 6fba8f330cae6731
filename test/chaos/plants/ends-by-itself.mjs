/** A planted bug: the process ends in the midst of its work. */
setTimeout(() => process.exit(70), 2_000).unref();
