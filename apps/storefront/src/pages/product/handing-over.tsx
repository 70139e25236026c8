import { HeartPulse, KeyRound, type LucideIcon, SquareTerminal } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ProductWire } from '#libs/contracts';
import { Section } from '../../components/section.tsx';
import { nameOfCheck } from '../../health-check-words.ts';

/** How a server of the product gets to its owner: what is checked first, how one logs in, what is secret. */
export function HandingOver({ product: { secrets, health_checks: checks } }: { product: ProductWire }) {
  return (
    <Section title="How it is handed over">
      <ul className="grid gap-6">
        <Item icon={HeartPulse} title="Checked before you get it">
          It answers with the SSH host key that we made for it
          {checks.length > 0 && `, and: ${checks.map(nameOfCheck).join('; ')}`}. Until then nothing is
          charged.
        </Item>
        <Item icon={SquareTerminal} title="You log in by SSH as root">
          With your key; or with a password that is made for it, shown to you once, and then forgotten by us.
        </Item>
        {secrets.length > 0 && (
          <Item icon={KeyRound} title="Its secrets are made for your server alone">
            They are on its page when it is ready, and are shown once. Nothing that they protect listens
            before they are set.
            <ul className="mt-2 grid list-disc gap-1 pl-5">
              {secrets.map(({ name, title, username }) => (
                <li key={name}>
                  {title}
                  {username !== null && (
                    <>
                      , for <code className="font-mono text-sm text-ink">{username}</code>
                    </>
                  )}
                </li>
              ))}
            </ul>
          </Item>
        )}
      </ul>
    </Section>
  );
}

function Item({ icon: Icon, title, children }: { icon: LucideIcon; title: string; children: ReactNode }) {
  return (
    <li className="flex gap-4">
      <Icon aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-brand" strokeWidth={1.75} />
      <div className="max-w-prose">
        <h3 className="text-base">{title}</h3>
        <div className="mt-1 text-[0.9375rem] text-soft">{children}</div>
      </div>
    </li>
  );
}
