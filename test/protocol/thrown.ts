import { isSakuraError, type SakuraError, type SakuraErrorCode } from "../../protocol/index.ts";

/** Runs a synchronous failure of the given code and returns it; anything else fails the test. */
export function thrown(code: SakuraErrorCode, work: () => unknown): SakuraError {
  let outcome: unknown;
  try {
    outcome = new Error(`expected ${code}, got ${String(work())}`);
  } catch (error) {
    outcome = error;
  }
  if (isSakuraError(outcome, code)) return outcome;
  throw new Error(`expected ${code}, got ${String(outcome)}`, { cause: outcome });
}

/** Whether the work succeeds or fails with one of the codes; any other failure is thrown on. */
export function onlyFailsWith(codes: readonly SakuraErrorCode[], work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (isSakuraError(error) && codes.includes(error.code)) return true;
    throw error;
  }
}
