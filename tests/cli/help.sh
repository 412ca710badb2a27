#!/bin/sh
# The help comes from the tables of commands and options, and fits 80 columns.
"$WEIGH" --help
echo
"$WEIGH" diff --help
"$WEIGH" -V | sed 's/[0-9][0-9.]*$/N/; 2s/^HDF5: libhdf5 N$/HDF5: .../; 2s/^HDF5: not in this build$/HDF5: .../; 3s/^Sandbox: .*/Sandbox: .../'
"$WEIGH" --help | awk 'length > 80 { print "too wide: " $0 }'
