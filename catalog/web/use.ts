import { eventually, type Use } from '../../test/catalog/use.ts';

/** The page names the server, and follows when the server gets another name. */
export const use: Use = async (guest) => {
  const assertNamed = async (name: string) => {
    const page = await (await fetch(`http://127.0.0.1:${guest.portFor(80)}/`)).text();
    if (!page.includes(name)) throw new Error(`the page does not name ${name}:\n${page}`);
  };
  await assertNamed(await guest.must('hostname'));
  await guest.must('hostnamectl set-hostname another-name');
  await eventually(() => assertNamed('another-name'));
};
