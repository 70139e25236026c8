import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { ProductWire } from '#libs/contracts';
import { accountQuery } from '../../api/account.ts';
import { useOrderable } from '../../api/orderable.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { TextField } from '../../components/text-field.tsx';
import { NotFoundPage } from '../fallback-pages.tsx';
import { AccessChooser } from './access-chooser.tsx';
import { OrderTrail } from './order-trail.tsx';
import { PriceDocket } from './price-docket.tsx';
import { SizeChooser } from './size-chooser.tsx';
import { useConfiguration } from './use-configuration.ts';
import { VolumesChooser } from './volumes-chooser.tsx';

export function ConfigurePage() {
  const { name } = useParams({ from: '/configure/$name' });
  const { product, image, currency, error, retry } = useOrderable(name);
  if (product === null) return <NotFoundPage />;
  return (
    <Page
      title={product ? `Your ${product.title}` : 'Your server'}
      lead="Two choices and a name. You see the whole price before you order."
      above={<OrderTrail at="Configure" />}
    >
      {error && !product && <ErrorPanel error={error} retry={retry} />}
      {image && image.servery.verification !== 'identity' && <OwnWayIn />}
      {product && <ConfigureForm key={product.name} product={product} currency={currency} />}
      {!product && !error && <Skeleton className="mb-4 h-40" count={3} />}
    </Page>
  );
}

/** What cannot be promised of a system that takes nothing from us. */
function OwnWayIn() {
  return (
    <div className="mb-10">
      <Notice tone="info" title="You log in as this image lets you">
        We found nothing in it that takes a key, a password or an address from us. A server of it is handed
        over when it runs, and where it has an SSH server, when that answers.
      </Notice>
    </div>
  );
}

function ConfigureForm({ product, currency }: { product: ProductWire; currency: string }) {
  const { type } = useSearch({ from: '/configure/$name' });
  const { data: account } = useQuery(accountQuery);
  const navigate = useNavigate();
  const form = useConfiguration(product, type, () =>
    navigate({ to: account ? '/order/review' : '/order/account' }),
  );
  return (
    <form
      noValidate
      onSubmit={form.submit}
      className="grid grid-cols-[minmax(0,1fr)] gap-10 lg:grid-cols-[minmax(0,1fr)_21rem] lg:gap-14"
    >
      <div className="grid min-w-0 content-start gap-12">
        <Section title="How big?" hint="A small one is a fine start. You pay for the hours that you keep it.">
          {(titleId) => (
            <SizeChooser
              titleId={titleId}
              offers={product.offers}
              currency={currency}
              value={form.serverType}
              onChange={form.setServerType}
            />
          )}
        </Section>
        <Section title="How will you log in?">
          {(titleId) => (
            <AccessChooser
              titleId={titleId}
              value={form.access}
              onChange={form.setAccess}
              problem={form.problems.key}
            />
          )}
        </Section>
        <Section title="What is its name?">
          <TextField
            label="Server name"
            hint="Its host name. Lower-case letters, digits and hyphens."
            name="server-name"
            value={form.name}
            onValueChange={form.setName}
            problem={form.problems.name}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            mono
          />
        </Section>
        {form.volumes.free.length > 0 && (
          <Section
            title="With which volumes?"
            hint="Yours that no server has. It has them from its first boot on."
          >
            <VolumesChooser
              free={form.volumes.free}
              chosen={form.volumes.chosen}
              onChange={form.volumes.choose}
              automount={form.automount}
              onAutomountChange={form.setAutomount}
            />
          </Section>
        )}
      </div>
      <aside aria-label="Your order" className="lg:sticky lg:top-24 lg:self-start">
        <PriceDocket
          product={product}
          serverType={form.serverType}
          name={form.name}
          access={form.access}
          volumes={form.volumes.chosen.length}
          currency={currency}
        >
          <Button type="submit" size="large" className="mt-4 w-full" disabled={!form.orderable}>
            {form.orderable ? 'Continue' : 'This size is sold out'}
          </Button>
        </PriceDocket>
      </aside>
    </form>
  );
}
