/** What people paste where a path or PEM text belongs: never shown, whatever it is. */
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { PemProblem, readPem } from "../../host/config/pem.ts";

const BODY = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAA";

it.each([
  ["in one line", BODY],
  ["in lines", `${BODY.slice(0, 32)}\n${BODY.slice(32)}`],
  ["with its line ends written out, as in a file of variables", `${BODY.slice(0, 32)}\\n${BODY.slice(32)}\\n`],
])("a key without its BEGIN line, %s, is no path, and is not shown", (_, value) => {
  const read = readPem(value, tmpdir());
  expect(read).toBeInstanceOf(PemProblem);
  expect(read).toMatchObject({
    message: "is neither a path nor PEM text: PEM begins with a line -----BEGIN …-----",
    cause: undefined,
  });
});
