import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { SunkMail } from '#libs/mail/sink';
import { fromEnvironment } from './chromium.fixture.ts';

/** Where the mails of the stack are read. */
export const mailPage = fromEnvironment('SERVERY_MAIL_URL');
/** The worker sends within seconds; a busy machine takes its time. */
export const MAIL_WITHIN_MILLISECONDS = 60_000;

/** The newest first. */
export async function mailsTo(recipient: string): Promise<SunkMail[]> {
  const answer = await fetch(`${mailPage}/mails.json?to=${encodeURIComponent(recipient)}`);
  return ((await answer.json()) as { mails: SunkMail[] }).mails;
}

/** Waits for a mail with this subject, and opens the newest one in the mail page. */
export async function openMail(page: Page, to: string, subject: string): Promise<void> {
  await expect
    .poll(async () => (await mailsTo(to)).map((mail) => mail.subject), { timeout: MAIL_WITHIN_MILLISECONDS })
    .toContain(subject);
  const mail = (await mailsTo(to)).find((one) => one.subject === subject);
  await page.goto(`${mailPage}/mails/${mail?.id}`);
}

/** Opens a mail and follows the first link of its text. */
export async function followMail(page: Page, to: string, subject: string): Promise<void> {
  await openMail(page, to, subject);
  await page.locator('pre').getByRole('link').first().click();
}
