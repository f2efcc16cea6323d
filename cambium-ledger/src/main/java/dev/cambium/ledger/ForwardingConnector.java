package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jooq.SQLDialect;

/** Passes everything on to another connector: a base for those that change one thing. */
public abstract class ForwardingConnector implements Connector {

  private final Connector real;

  protected ForwardingConnector(Connector real) {
    this.real = real;
  }

  @Override
  public String where() {
    return real.where();
  }

  @Override
  public SQLDialect dialect() {
    return real.dialect();
  }

  @Override
  public Connection writer() throws SQLException {
    return real.writer();
  }

  @Override
  public Connection reader() throws SQLException {
    return real.reader();
  }

  @Override
  public void requireInPlace() throws SQLException {
    real.requireInPlace();
  }

  @Override
  public void committed(Connection writer, int records) {
    real.committed(writer, records);
  }

  @Override
  public void close() {
    real.close();
  }

  @Override
  public void begin(Connection writer) throws SQLException {
    real.begin(writer);
  }

  @Override
  public void commit(Connection writer) throws SQLException {
    real.commit(writer);
  }

  @Override
  public boolean usable(Connection idle) {
    return real.usable(idle);
  }

  @Override
  public boolean exists() throws SQLException {
    return real.exists();
  }

  @Override
  public DataSource migrations() {
    return real.migrations();
  }

  @Override
  public boolean isBusy(Throwable failure) {
    return real.isBusy(failure);
  }

  @Override
  public Held lock(String holder) throws SQLException {
    return real.lock(holder);
  }
}
