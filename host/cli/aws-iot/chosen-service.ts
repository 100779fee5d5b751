/** Which of a file's services is meant. */
import { SakuraError } from "../../../protocol/errors.ts";

interface Candidate {
  readonly config: { readonly name: string };
}

/**
 * The named one, or the only one.
 * @throws SakuraError INVALID_ARGUMENT when there is no such service, or several and none is named
 */
export function chosenService<S extends Candidate>(services: readonly S[], name: string | undefined): S {
  const names = services.map(({ config }) => config.name).join(", ");
  const [only, another] = services;
  if (name === undefined) {
    if (only && !another) return only;
    const what = only ? `several services: choose one with --service: ${names}` : "no service: add one first";
    throw new SakuraError("INVALID_ARGUMENT", `the file has ${what}`);
  }
  const found = services.find(({ config }) => config.name === name);
  if (found) return found;
  throw new SakuraError("INVALID_ARGUMENT", `the file has no service "${name}": its services are ${names}`);
}
