import * as Sentry from '@sentry/node';
import { type Item, total } from './cart';

Sentry.init({
  dsn: process.env.DSN,
  release: 'node@1',
  integrations: (all) => all.filter((one) => one.name !== 'ProcessSession'),
});

class Checkout {
  items: Item[];

  constructor(items: Item[]) {
    this.items = items;
  }

  run(): number {
    return total(this.items);
  }
}

try {
  new Checkout([{ price: { amount: 3 } }, {}]).run();
} catch (e) {
  Sentry.captureException(e);
}

void Sentry.flush(10_000);
