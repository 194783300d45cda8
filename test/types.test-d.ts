import { type Equal, expectType } from "./types.ts";

// The helper itself: it must refuse what is merely assignable.
expectType<string>()("text" as string);
expectType<{ a: number }>()({ a: 1 as number });
// @ts-expect-error a union is not one of its parts
expectType<string | number>()("text" as string);
// @ts-expect-error any is no string
expectType<string>()(JSON.parse("1"));
// @ts-expect-error an optional property is not a required one
expectType<{ a?: number }>()({ a: 1 as number });

export const same: Equal<readonly string[], readonly string[]> = true;
export const different: Equal<readonly string[], string[]> = false;
