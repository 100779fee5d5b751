/** The methods of a module's client, as types that follow from the command table. */
import type { CommandName, RequestOf, ResponseOf } from "../protocol/commands.ts";
import type { CommandOptions } from "./job.ts";

/** `GET_CONNECTION_STATUS` as a method: `getConnectionStatus`. */
export type MethodName<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<MethodName<Tail>>}`
  : Lowercase<Name>;

type Arguments<Request> = [Request] extends [undefined]
  ? [options?: CommandOptions]
  : [request: Request, options?: CommandOptions];

/** One method for each of the commands: what it takes first, if it takes anything, then the options. */
export type MethodsOf<Names extends CommandName> = {
  readonly [N in Names as MethodName<N>]: (...args: Arguments<RequestOf<N>>) => Promise<ResponseOf<N>>;
};

/** One method for each command of the table: a class that lacks one does not compile. */
export type ModuleMethods = MethodsOf<CommandName>;
