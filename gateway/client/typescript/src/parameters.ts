/** The parameters of a call, checked before anything is sent and serialised once for both phases (RFC 7493). */

import { ParametersRefused } from "./errors.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };

const MAX_BYTES = 1_000_000;
const MAX_DEPTH = 60;
const MAX_TOOL_CHARS = 128;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

export function checkedTool(tool: unknown): string {
  if (typeof tool !== "string" || tool === "" || [...tool].length > MAX_TOOL_CHARS || UNPRINTABLE.test(tool)) {
    throw new ParametersRefused(`A tool is named by 1 to ${MAX_TOOL_CHARS} printable characters.`);
  }
  return tool;
}

export function serialised(parameters: unknown): string {
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
    throw new ParametersRefused("The parameters are an object.");
  }
  check(parameters, "", 0);
  const text = JSON.stringify(parameters);
  if (new TextEncoder().encode(text).length > MAX_BYTES) {
    throw new ParametersRefused(`The parameters are over ${MAX_BYTES} bytes.`);
  }
  return text;
}

function check(value: unknown, place: string, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new ParametersRefused(`The parameters are nested deeper than ${MAX_DEPTH} levels.`);
  }
  switch (typeof value) {
    case "boolean":
      return;
    case "string":
      return checkText(value, place);
    case "number":
      if (!Number.isFinite(value) || Object.is(value, -0)) {
        throw bad(place, "a number that JSON readers do not agree on");
      }
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw bad(place, "an integer beyond 2^53-1 reads differently elsewhere; send a string");
      }
      return;
    case "object":
      return checkObject(value, place, depth);
    default:
      // JSON.stringify leaves `undefined` and functions out: what was meant would not be what is sent.
      throw bad(place, `a ${typeof value} has no JSON form`);
  }
}

function checkObject(value: object | null, place: string, depth: number): void {
  if (value === null) {
    return;
  }
  if ("toJSON" in value) {
    throw bad(place, "an object that writes itself; send plain data");
  }
  if (Array.isArray(value)) {
    // By index: holes of a sparse array are `undefined`.
    for (let index = 0; index < value.length; index++) {
      check(value[index], `${place}/${index}`, depth + 1);
    }
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw bad(place, "an object of a class has no JSON form; send plain data");
  }
  for (const [name, inner] of Object.entries(value)) {
    checkText(name, place);
    check(inner, `${place}/${name.slice(0, 64)}`, depth + 1);
  }
}

function checkText(value: string, place: string): void {
  if (/\p{Cs}/u.test(value)) {
    throw bad(place, "a lone surrogate is no character");
  }
}

function bad(place: string, why: string): ParametersRefused {
  return new ParametersRefused(`The parameters at '${place || "/"}': ${why}.`);
}
