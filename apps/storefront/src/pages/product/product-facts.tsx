import type { ProductWire } from '#libs/contracts';
import { Fact } from '../../components/fact.tsx';
import { Section } from '../../components/section.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount, formatGb } from '../../format.ts';

/** What one wants to know at a glance. What is not known has no line. */
export function ProductFacts({ product }: { product: ProductWire }) {
  const system = [product.os_flavor, product.os_version].filter(Boolean).join(' ');
  return (
    <div className="grid content-start gap-8">
      <Section title="At a glance">
        <dl className="divide-y divide-line border-y border-line text-[0.9375rem]">
          <Fact label="System">{system.charAt(0).toUpperCase() + system.slice(1)}</Fact>
          <Fact label="Contents">{formatCount(product.packages_count, 'package')}</Fact>
          <Fact label="Needs at least">
            {formatGb(product.min_memory_gb)} memory, {formatGb(product.min_disk_gb)} disk
          </Fact>
          <Fact label="Last cooked">
            <Time at={product.cooked_at} />
          </Fact>
          {product.verified_at && (
            <Fact label="Last verified">
              <Time at={product.verified_at} />
            </Fact>
          )}
        </dl>
        {product.verified_at && (
          <p className="mt-3 text-sm text-soft">
            Verified: this very image was booted, and used as its clients would use it.
          </p>
        )}
      </Section>
      <Ports ports={product.ports} />
      <section>
        <h3 className="text-base">Licence</h3>
        <p className="mt-2 text-[0.9375rem] wrap-anywhere text-soft">{product.licence}</p>
        {product.licence_forbids.includes('export') && (
          <p className="mt-2 text-[0.9375rem] text-soft">
            It does not allow that a server of it is taken home as a file.
          </p>
        )}
      </section>
    </div>
  );
}

function Ports({ ports }: Pick<ProductWire, 'ports'>) {
  if (ports.length === 0) return null;
  return (
    <section>
      <h3 className="text-base">Open ports</h3>
      <ul className="mt-3 flex flex-wrap gap-2">
        {ports.map((port) => (
          <li
            key={`${port.protocol}${port.port}`}
            className="rounded-control border border-line bg-surface px-3 py-1.5 text-sm"
          >
            <span className="font-medium">{port.name}</span>{' '}
            <span className="font-mono text-soft">
              {port.port}
              {port.protocol === 'udp' && '/udp'}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
