/** What a program may say to an emulated module on stdin, and what it is answered: one JSON object a line each. */
import { z } from "zod";
import { parseFaults } from "../../emulator/faults.ts";
import type { EmulatedModule } from "../../emulator/module.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { type Json, parseJson } from "../../protocol/json.ts";
import { downlinkFromJson } from "../../protocol/message.ts";

export type ControlAnswer =
  | { readonly event: "downlink"; readonly accepted: true }
  | { readonly event: "downlink"; readonly accepted: false; readonly reason: string }
  | { readonly event: "control"; readonly ok: true }
  | { readonly event: "control"; readonly ok: false; readonly reason: string };

const coordinate = z.strictObject({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  range_m: z.number().min(0),
});

const controlSchema = z.discriminatedUnion("control", [
  z.strictObject({
    control: z.literal("offline"),
    value: z.enum(["none", "out-of-service-area", "connection-error", "unexpected-disconnect"]).optional(),
  }),
  z.strictObject({ control: z.literal("online") }),
  z.strictObject({ control: z.literal("signal"), value: z.int().min(0).max(5) }),
  z.strictObject({ control: z.literal("faults"), value: z.string() }),
  z.strictObject({ control: z.literal("location"), value: coordinate.nullable() }),
  z.strictObject({ control: z.literal("reset") }),
  z.strictObject({ control: z.literal("adc"), pin: z.int().min(0).max(255), value: z.int().min(0).max(65535) }),
  z.strictObject({ control: z.literal("send-time"), value: z.int().min(0).max(3_600_000) }),
]);
type Control = z.infer<typeof controlSchema>;

const CONTROLS = controlSchema.options.map((option) => option.shape.control.value).join(", ");

/** Carries out one line; never throws for what the line says. */
export function controlModule(module: EmulatedModule, line: string): ControlAnswer {
  let isControl = false;
  try {
    const json = parseJson(line);
    isControl = typeof json === "object" && json !== null && Object.hasOwn(json, "control");
    if (!isControl) {
      module.deliver(downlinkFromJson(json));
      return { event: "downlink", accepted: true };
    }
    carryOut(module, parseControl(json));
    return { event: "control", ok: true };
  } catch (error) {
    if (!isSakuraError(error) && !(error instanceof ControlProblem)) throw error;
    return isControl
      ? { event: "control", ok: false, reason: error.message }
      : { event: "downlink", accepted: false, reason: error.message };
  }
}

class ControlProblem extends Error {}

function parseControl(json: Json): Control {
  const result = controlSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join(".") || "control";
  throw new ControlProblem(
    where === "control" ? `the controls are ${CONTROLS}` : `${where}: ${issue?.message ?? "is not valid"}`,
  );
}

function carryOut(module: EmulatedModule, control: Control): void {
  switch (control.control) {
    case "offline":
      return module.setOnline(false, control.value);
    case "online":
      return module.setOnline(true);
    case "signal":
      return module.setSignal(control.value);
    case "faults":
      return module.setFaults(parseFaults(control.value));
    case "location":
      return module.sendLocation(control.value);
    case "reset":
      return module.restart();
    case "adc":
      module.state.adc.set(control.pin, control.value);
      return;
    case "send-time":
      module.state.sendTimeMs = control.value;
  }
}
