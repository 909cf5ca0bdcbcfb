// The files of S3 objects as Hadoop sees them: read-only, and without what the S3 server keeps beside them.
//
// The S3 server stores each object as a file at <lake>/<account>/<bucket>/<key>, with its metadata in a sidecar file.
// Spark reads those files where they lie. It may not change them (the server would not know), and it may not see a
// sidecar as data. Folders outside the lake, where a run stages its output, behave as any local folder.
//
// Compiled by the Java compiler that Spark ships (Janino): no generics inference, no annotations needed.
package movieplatform;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.security.AccessControlException;
import org.apache.hadoop.util.Progressable;

public class ObjectFileSystem extends LocalFileSystem {

  private static final String SIDECAR = ".meta.json";
  private static final String UNFINISHED = ".tmp";
  private static final String SERVER_FOLDER = ".ministack-keys";

  private String lake;

  public void initialize(URI name, Configuration configuration) throws IOException {
    super.initialize(name, configuration);
    String folder = configuration.get("movieplatform.lake");
    if (folder == null) {
      throw new IOException("movieplatform.lake is not set");
    }
    this.lake = folder.endsWith("/") ? folder : folder + "/";
  }

  private boolean isObject(Path path) {
    return path.toUri().getPath().startsWith(this.lake);
  }

  private boolean isHidden(Path path) {
    String name = path.getName();
    return isObject(path)
        && (name.endsWith(SIDECAR) || name.endsWith(UNFINISHED) || name.equals(SERVER_FOLDER));
  }

  private void requireObject(Path path) throws IOException {
    if (isHidden(path)) {
      throw new FileNotFoundException("No such object: " + path);
    }
  }

  private void requireWritable(Path path) throws IOException {
    if (isObject(path)) {
      throw new AccessControlException(
          "This run may not write to " + path.toUri().getPath().substring(this.lake.length())
              + ": name the bucket in an argument that starts with --output, such as --output_uri s3://bucket");
    }
  }

  public FileStatus[] listStatus(Path folder) throws IOException {
    requireObject(folder);
    FileStatus[] found = super.listStatus(folder);
    List kept = new ArrayList();
    for (int i = 0; i < found.length; i++) {
      if (!isHidden(found[i].getPath())) {
        kept.add(found[i]);
      }
    }
    return (FileStatus[]) kept.toArray(new FileStatus[kept.size()]);
  }

  public RemoteIterator listLocatedStatus(Path folder) throws IOException {
    requireObject(folder);
    return new VisibleOnly(super.listLocatedStatus(folder));
  }

  public RemoteIterator listStatusIterator(Path folder) throws IOException {
    requireObject(folder);
    return new VisibleOnly(super.listStatusIterator(folder));
  }

  public FileStatus getFileStatus(Path path) throws IOException {
    requireObject(path);
    return super.getFileStatus(path);
  }

  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    requireObject(path);
    return super.open(path, bufferSize);
  }

  public FSDataOutputStream create(Path path, FsPermission permission, boolean overwrite, int bufferSize,
      short replication, long blockSize, Progressable progress) throws IOException {
    requireWritable(path);
    return super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
  }

  public FSDataOutputStream create(Path path, FsPermission permission, EnumSet flags, int bufferSize,
      short replication, long blockSize, Progressable progress,
      org.apache.hadoop.fs.Options.ChecksumOpt checksum) throws IOException {
    requireWritable(path);
    return super.create(path, permission, flags, bufferSize, replication, blockSize, progress, checksum);
  }

  public FSDataOutputStream createNonRecursive(Path path, FsPermission permission, EnumSet flags,
      int bufferSize, short replication, long blockSize, Progressable progress) throws IOException {
    requireWritable(path);
    return super.createNonRecursive(path, permission, flags, bufferSize, replication, blockSize, progress);
  }

  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) throws IOException {
    requireWritable(path);
    return super.append(path, bufferSize, progress);
  }

  public boolean truncate(Path path, long length) throws IOException {
    requireWritable(path);
    return super.truncate(path, length);
  }

  public boolean rename(Path from, Path to) throws IOException {
    requireWritable(from);
    requireWritable(to);
    return super.rename(from, to);
  }

  public boolean delete(Path path, boolean recursive) throws IOException {
    requireWritable(path);
    return super.delete(path, recursive);
  }

  public boolean mkdirs(Path path) throws IOException {
    requireWritable(path);
    return super.mkdirs(path);
  }

  public boolean mkdirs(Path path, FsPermission permission) throws IOException {
    requireWritable(path);
    return super.mkdirs(path, permission);
  }

  // What an iterator gives, without what is hidden.
  private class VisibleOnly implements RemoteIterator {

    private final RemoteIterator all;
    private FileStatus ahead;

    VisibleOnly(RemoteIterator all) {
      this.all = all;
    }

    public boolean hasNext() throws IOException {
      while (this.ahead == null && this.all.hasNext()) {
        FileStatus candidate = (FileStatus) this.all.next();
        if (!isHidden(candidate.getPath())) {
          this.ahead = candidate;
        }
      }
      return this.ahead != null;
    }

    public Object next() throws IOException {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      FileStatus found = this.ahead;
      this.ahead = null;
      return found;
    }
  }
}
