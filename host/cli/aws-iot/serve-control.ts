/** The controls of `aws-iot serve`: one JSON object a line on stdin. */
import { z } from "zod";
import { limitNames, parseEndpointFaults, type Workspace } from "../../../emulator/aws-iot/index.ts";
import { isSakuraError } from "../../../protocol/errors.ts";

const DAY_MS = 24 * 3600 * 1000;
const ms = z.int().min(0).max(DAY_MS);

const controlSchema = z.discriminatedUnion("control", [
  z.strictObject({ control: z.literal("attach-policy") }),
  z.strictObject({ control: z.literal("detach-policy") }),
  z.strictObject({ control: z.literal("faults"), value: z.string() }),
  z.strictObject({ control: z.literal("drop") }),
  z.strictObject({ control: z.literal("refuse"), ms, tcp: z.boolean().default(false) }),
  z.strictObject({
    control: z.literal("limits"),
    value: z.partialRecord(z.enum(limitNames), z.union([z.boolean(), z.int().min(1)])),
  }),
]);

/** What is understood, for who wrote something else. */
const KNOWN = [
  '{"control":"attach-policy"}',
  '{"control":"detach-policy"}',
  '{"control":"faults","value":"drop-after=50,no-puback"}',
  '{"control":"drop"}',
  '{"control":"refuse","ms":5000}',
  '{"control":"limits","value":{"publishRate":false}}',
].join(", ");

/** Does what the line says. */
export function applyControl(workspace: Workspace, line: string): { readonly ok: boolean; readonly reason?: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, reason: "not a JSON object" };
  }
  const command = controlSchema.safeParse(value);
  if (!command.success) {
    const [issue] = command.error.issues;
    const place = issue?.path.join(".") ?? "";
    return { ok: false, reason: `${place === "" ? "" : `${place}: ${issue?.message}; `}expected one of ${KNOWN}` };
  }
  try {
    apply(workspace, command.data);
    return { ok: true };
  } catch (error) {
    if (!isSakuraError(error, "INVALID_ARGUMENT")) throw error;
    return { ok: false, reason: error.message };
  }
}

function apply({ endpoint, attachPolicy, detachPolicy }: Workspace, command: z.output<typeof controlSchema>): void {
  switch (command.control) {
    case "attach-policy":
      attachPolicy();
      break;
    case "detach-policy":
      detachPolicy();
      break;
    case "faults":
      endpoint.faults.set(parseEndpointFaults(command.value));
      break;
    case "drop":
      endpoint.faults.drop();
      break;
    case "refuse":
      if (command.tcp) endpoint.faults.stopListening(command.ms);
      else endpoint.faults.refuse(command.ms);
      break;
    case "limits":
      endpoint.setLimits(command.value);
      break;
  }
}
