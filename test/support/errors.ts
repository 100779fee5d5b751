/** Errors are told apart by their code, in tests as anywhere. */
import { isSakuraError, type SakuraError, type SakuraErrorCode } from "../../protocol/errors.ts";

/** Awaits a failure of the given code and returns it; anything else fails the test. */
export async function failsWith(code: SakuraErrorCode, work: Promise<unknown>): Promise<SakuraError> {
  const outcome: unknown = await work.then(
    () => new Error(`expected ${code}, but it succeeded`),
    (error: unknown) => error,
  );
  if (isSakuraError(outcome, code)) return outcome;
  throw new Error(`expected ${code}, got ${String(outcome)}`, { cause: outcome });
}
