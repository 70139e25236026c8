import { ReceiptText, ShieldCheck, SquareTerminal } from 'lucide-react';

const PROMISES = [
  {
    icon: ShieldCheck,
    title: 'Verified, then billed',
    text: 'The clock starts when your server answers, shows the host key that we expect and passes its own health check. If it does not, nothing is charged.',
  },
  {
    icon: ReceiptText,
    title: 'By the hour, with a cap',
    text: 'You pay for the hours that you keep it, and never more in a month than the monthly price on the card.',
  },
  {
    icon: SquareTerminal,
    title: 'The tools that you know',
    text: 'The API speaks the wire format of Hetzner Cloud: the hcloud command, Terraform and Ansible order here once you change one address.',
  },
] as const;

export function Promises() {
  return (
    <section aria-labelledby="promises-title" className="border-t border-line bg-sunken">
      <div className="mx-auto max-w-6xl px-4 py-16 sm:px-6">
        <h2 id="promises-title" className="sr-only">
          What you can count on
        </h2>
        <ul className="grid gap-10 md:grid-cols-3">
          {PROMISES.map(({ icon: Icon, title, text }) => (
            <li key={title}>
              <Icon aria-hidden="true" className="size-6 text-brand" strokeWidth={1.75} />
              <h3 className="mt-4 text-lg">{title}</h3>
              <p className="mt-2 text-[0.9375rem] text-soft">{text}</p>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
