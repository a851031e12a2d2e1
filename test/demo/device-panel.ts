import type { Locator, Page } from 'playwright';
import { expect } from 'vitest';

/** How long a test waits for something that must come, in milliseconds. */
export const PATIENCE_MS = 30_000;

export type Connection = 'Online' | 'Slow' | 'Offline';

/** One device of the page, as a person uses it. */
export class DevicePanel {
  readonly panel: Locator;
  readonly key: string;

  constructor(page: Page, key: 'ann-tablet' | 'ann-phone' | 'ben-tablet') {
    this.key = key;
    this.panel = page.locator(`[data-panel="${key}"]`);
  }

  async connect(connection: Connection): Promise<void> {
    await this.panel.getByLabel(connection, { exact: true }).check();
  }

  /** Opens an account from the list, by its name. */
  async openAccount(name: string): Promise<void> {
    await this.openRecord('Accounts', name);
  }

  /** Opens a record of any kind from its list, by what the search box looks in. */
  async openRecord(tab: string, title: string): Promise<void> {
    await this.search(tab, title);
    await this.panel.getByTestId('row').filter({ hasText: title }).first().click();
    await this.panel.getByTestId('record-title').filter({ hasText: title }).waitFor();
  }

  /** What the list says under the title of a record. */
  async subtitleOf(tab: string, title: string): Promise<string> {
    await this.search(tab, title);
    return this.panel.getByTestId('row').filter({ hasText: title }).first().locator('.row-subtitle').innerText();
  }

  async search(tab: string, title: string): Promise<void> {
    await this.panel.getByRole('tab', { name: tab }).click();
    await this.panel.getByRole('searchbox').fill(title);
  }

  quantity(line: number): Promise<string> {
    return this.line(line).getByLabel('Quantity').inputValue();
  }

  /** One line in the form of a header, from the first. */
  line(index: number): Locator {
    return this.panel.getByTestId('line').nth(index);
  }

  button(name: string): Locator {
    return this.panel.getByRole('button', { name, exact: true });
  }

  /** Saves the open form; resolves when the device says that it is safe there. */
  async save(): Promise<void> {
    await this.button('Save').click();
    await this.panel.getByText('Saved on this device').waitFor();
  }

  field(label: string): Locator {
    return this.panel.getByLabel(label, { exact: true });
  }

  /** Changes a field of the open record and saves; resolves when the device says that it is safe there. */
  async change(label: string, value: string): Promise<void> {
    await this.field(label).fill(value);
    await this.panel.getByRole('button', { name: 'Save', exact: true }).click();
    await this.panel.getByText('Saved on this device').waitFor();
  }

  async createAccount(name: string): Promise<void> {
    await this.panel.getByRole('tab', { name: 'Accounts' }).click();
    await this.panel.getByRole('button', { name: 'New account' }).click();
    await this.field('Name *').fill(name);
    await this.panel.getByRole('button', { name: 'Create account' }).click();
    await this.panel.getByText('Saved on this device').waitFor();
  }

  async killAndRestart(): Promise<void> {
    await this.panel.getByRole('button', { name: /^Kill and restart/ }).click();
    await this.panel.locator('[data-testid="status"][data-state="stopped"]').waitFor();
    await this.panel.locator('[data-testid="status"]:not([data-state="stopped"])').waitFor();
  }

  async state(): Promise<string | null> {
    return this.panel.getByTestId('status').getAttribute('data-state');
  }

  async pending(): Promise<number> {
    return Number(await this.panel.getByTestId('status').getAttribute('data-pending'));
  }

  /** Waits until the first download is applied and nothing waits. */
  async expectUpToDate(): Promise<void> {
    await this.panel.getByText(/^Last download/).waitFor({ timeout: PATIENCE_MS });
    await this.expectState('upToDate');
  }

  async expectState(state: string): Promise<void> {
    await eventually(() => this.state()).toBe(state);
  }

  async expectPending(count: number): Promise<void> {
    await eventually(() => this.pending()).toBe(count);
  }

  async expectField(label: string, value: string): Promise<void> {
    await eventually(() => this.field(label).inputValue()).toBe(value);
  }
}

/** Looks again until it holds. */
export function eventually<T>(look: () => Promise<T> | T): ReturnType<typeof expect.poll> {
  return expect.poll(look, { timeout: PATIENCE_MS, interval: 50 });
}
