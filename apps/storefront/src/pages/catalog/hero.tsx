import { Check } from 'lucide-react';
import { buttonClass } from '../../components/button.tsx';
import { Docket, DocketRule } from '../../components/docket.tsx';

const COURSES = [
  ['Placed', 'on the host with room for it'],
  ['Cloned', 'from an image we cooked ourselves'],
  ['Booted', 'with your key and your name'],
  ['Verified', 'it answers, and it is in good health'],
] as const;

export function Hero() {
  return (
    <section className="bg-pass">
      <div
        data-theme="dark"
        className="mx-auto grid max-w-6xl items-center gap-12 px-4 py-16 sm:px-6 lg:grid-cols-[1.15fr_1fr] lg:py-24 text-ink"
      >
        <div>
          <h1 className="text-[2.75rem] leading-[1.02] font-[680] tracking-[-0.04em] sm:text-6xl lg:text-[4.5rem]">
            Order a server, get it served.
          </h1>
          <p className="mt-6 max-w-lg text-lg text-soft">
            Pick what it should do and how big it should be. We place it, boot it and check that it answers.
            Only then do you pay.
          </p>
          <div className="mt-8 flex flex-wrap gap-3">
            <a href="#catalog" className={buttonClass('accent', 'large')}>
              Choose a server
            </a>
            <a href="/docs" className={`${buttonClass('quiet', 'large')} border border-ink/40`}>
              Order by API
            </a>
          </div>
        </div>
        <HeroDocket />
      </div>
    </section>
  );
}

function HeroDocket() {
  return (
    <div data-theme="light" aria-hidden="true" className="relative mx-auto w-full max-w-sm text-ink">
      <div className="absolute -inset-x-3 top-0 h-3.5 rounded-full bg-[#9fb5ab] shadow-float sm:-inset-x-8" />
      <Docket className="translate-y-1.5">
        <div className="flex items-baseline justify-between pt-3 font-mono text-sm">
          <span className="font-bold">ORDER</span>
          <span className="text-soft">hazel-kettle-27</span>
        </div>
        <DocketRule />
        <p className="text-xl font-[640] tracking-tight">1 × Web server</p>
        <p className="mt-0.5 text-sm text-soft">with your SSH key, in a place of its own</p>
        <DocketRule />
        <ul className="grid gap-3">
          {COURSES.map(([title, text]) => (
            <li key={title} className="flex gap-3">
              <span className="mt-0.5 grid size-5 place-items-center rounded-full bg-brand text-on-brand">
                <Check className="size-3.5" strokeWidth={3} />
              </span>
              <span>
                <span className="block font-[600]">{title}</span>
                <span className="block text-sm text-soft">{text}</span>
              </span>
            </li>
          ))}
        </ul>
        <DocketRule />
        <p className="font-mono text-sm">
          <span className="text-soft">$</span> ssh root@hazel-kettle-27
        </p>
      </Docket>
    </div>
  );
}
