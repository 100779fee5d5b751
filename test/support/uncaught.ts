/** For code whose failure can only surface as an uncaught exception. */

/** Runs the work and returns the exception that nobody caught, instead of letting it fail the test run. */
export async function uncaughtBy(work: () => void): Promise<unknown> {
  const usual = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  try {
    return await new Promise<unknown>((resolve) => {
      process.once("uncaughtException", resolve);
      work();
    });
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of usual) process.on("uncaughtException", listener);
  }
}
