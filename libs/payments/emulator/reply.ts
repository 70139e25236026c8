/** What a browser gets: a page, a file or another address. */
export type Reply =
  | { readonly status: number; readonly html: string }
  | { readonly status: 200; readonly pdf: Buffer; readonly name: string }
  | { readonly status: 303; readonly location: string };

/** A form or a query. */
export type Fields = Readonly<Record<string, string | undefined>>;

export const goTo = (location: string): Reply => ({ status: 303, location });
export const show = (html: string, status = 200): Reply => ({ status, html });
