/**
 * AWS IoT policies: what a certificate may do. Everything is denied but what some statement allows and none denies.
 *
 * A resource is an ARN, `arn:aws:iot:REGION:ACCOUNT:client/ID`, `…:topic/TOPIC` or `…:topicfilter/FILTER`, in which
 * `*` stands for any characters, slashes too, `?` for any one, and MQTT's own `+` and `#` for themselves.
 */
import { z } from "zod";
import { SakuraError } from "../../protocol/errors.ts";

/** The actions that AWS IoT's data plane knows; the emulated endpoint asks for the first five. */
const ACTIONS = [
  "iot:Connect",
  "iot:Publish",
  "iot:RetainPublish",
  "iot:Subscribe",
  "iot:Receive",
  "iot:GetRetainedMessage",
  "iot:ListRetainedMessages",
  "iot:GetThingShadow",
  "iot:UpdateThingShadow",
  "iot:DeleteThingShadow",
  "iot:ListNamedShadowsForThing",
  "iot:DescribeJobExecution",
  "iot:GetPendingJobExecutions",
  "iot:StartNextPendingJobExecution",
  "iot:UpdateJobExecution",
  "iot:AssumeRoleWithCertificate",
] as const;

export type PolicyAction = (typeof ACTIONS)[number];

/** What `${…}` in a resource stands for while one connection is judged. */
export interface PolicyVariables {
  readonly "iot:ClientId": string;
}

const CLIENT_ID = `\${iot:ClientId}`;
const VARIABLE = /\$\{([^}]*)\}/g;

/** A policy as it is attached to a certificate: parsed once, its name the one to detach it by. */
export interface Policy {
  readonly name: string;
  readonly statements: readonly PolicyStatement[];
}

interface PolicyStatement {
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly Pattern[];
  readonly resources: readonly Pattern[];
}

/** A text with holes: one entry a character, or a hole. */
type Pattern = readonly (string | { readonly hole: "any" | "one" | "client-id" })[];

/** AWS takes one thing where it takes a list of them. */
const oneOrMore = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(schema).min(1));

const actionSchema = z.string().refine((text) => ACTIONS.some((action) => matches(compile(text), action)), {
  error: "is no action of AWS IoT's data plane (iot:Connect, iot:Publish, iot:Subscribe, iot:Receive, …)",
});

const resourceSchema = z
  .string()
  .regex(/^(\*|arn:.*)$/s, "must be * or an ARN (arn:aws:iot:REGION:ACCOUNT:topic/…)")
  .superRefine((text, context) => {
    for (const [, name] of text.matchAll(VARIABLE)) {
      if (name === "iot:ClientId") continue;
      context.addIssue({ code: "custom", message: `uses \${${name}}; only \${iot:ClientId} is emulated` });
    }
  });

const documentSchema = z.strictObject({
  Version: z.literal("2012-10-17"),
  Id: z.string().optional(),
  Statement: oneOrMore(
    z.strictObject({
      Sid: z.string().optional(),
      Effect: z.enum(["Allow", "Deny"]),
      Action: oneOrMore(actionSchema),
      Resource: oneOrMore(resourceSchema),
    }),
  ),
});

/**
 * Reads a policy document.
 * @param name what it is called; attaching another of the same name replaces it
 * @throws SakuraError INVALID_ARGUMENT naming the place (`Statement[0].Action[1]`); a Condition is not emulated
 */
export function parsePolicy(name: string, document: unknown): Policy {
  const result = documentSchema.safeParse(document);
  if (!result.success) {
    const [issue] = result.error.issues;
    const place = placeOf(issue?.path ?? [], document);
    throw new SakuraError("INVALID_ARGUMENT", `policy ${name}: ${place || "the document"}: ${issue?.message}`, {
      context: { policy: name, path: place },
    });
  }
  return {
    name,
    statements: result.data.Statement.map(({ Effect, Action, Resource }) => ({
      effect: Effect,
      actions: Action.map(compile),
      resources: Resource.map(compile),
    })),
  };
}

/**
 * Whether the policies together allow it: some statement allows it, and none denies it.
 * @param resource a whole ARN
 */
export function allows(
  policies: readonly Policy[],
  action: PolicyAction,
  resource: string,
  variables: PolicyVariables,
): boolean {
  let allowed = false;
  for (const { statements } of policies) {
    for (const { effect, actions, resources } of statements) {
      if (!actions.some((pattern) => matches(pattern, action))) continue;
      if (!resources.some((pattern) => matches(pattern, resource, variables))) continue;
      if (effect === "Deny") return false;
      allowed = true;
    }
  }
  return allowed;
}

function compile(text: string): Pattern {
  return text.split(/(\$\{iot:ClientId\}|[*?])/).flatMap((part): Pattern => {
    if (part === "*") return [{ hole: "any" }];
    if (part === "?") return [{ hole: "one" }];
    if (part === CLIENT_ID) return [{ hole: "client-id" }];
    return [...part];
  });
}

/** Whether the whole text fits. Goes back to the last `*` only, so the work is bounded by the product of the lengths. */
function matches(pattern: Pattern, text: string, variables?: PolicyVariables): boolean {
  // What a variable stands for is literal: a client called `*` is not every client.
  const wanted = pattern.flatMap((part) =>
    typeof part === "object" && part.hole === "client-id" ? [...(variables?.["iot:ClientId"] ?? "")] : [part],
  );
  const given = [...text];
  let at = 0;
  let star: { readonly next: number; from: number } | undefined;
  let i = 0;
  while (i < given.length) {
    const part = wanted[at];
    if (typeof part === "object" && part.hole === "any") {
      star = { next: ++at, from: i };
    } else if (part !== undefined && (typeof part === "object" || part === given[i])) {
      at++;
      i++;
    } else if (star) {
      at = star.next;
      i = ++star.from;
    } else {
      return false;
    }
  }
  return wanted.slice(at).every((part) => typeof part === "object" && part.hole === "any");
}

/** `Statement[0].Action[1]`, and `Statement.Action` where the document has one thing instead of a list. */
function placeOf(path: readonly PropertyKey[], document: unknown): string {
  let place = "";
  let at = document;
  for (const key of path) {
    if (typeof key === "number") {
      if (!Array.isArray(at)) continue;
      place += `[${key}]`;
      at = at[key];
    } else {
      place += `${place === "" ? "" : "."}${String(key)}`;
      at = typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined;
    }
  }
  return place;
}
